# Made from deploy/shop.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

resource "docker_network" "in_api" {
  name     = "shop-in-api"
  driver   = "bridge"
  internal = false
  options = {
    "com.docker.network.bridge.enable_ip_masquerade" = "false"
  }

  labels {
    label = "agentci.deployment"
    value = "shop"
  }
}

resource "docker_network" "to_db" {
  name     = "shop-to-db"
  driver   = "bridge"
  internal = true

  labels {
    label = "agentci.deployment"
    value = "shop"
  }
}

resource "docker_network" "to_tools" {
  name     = "shop-to-tools"
  driver   = "bridge"
  internal = true

  labels {
    label = "agentci.deployment"
    value = "shop"
  }
}

resource "docker_volume" "data" {
  name   = "shop-data"
  driver = "local"

  labels {
    label = "agentci.deployment"
    value = "shop"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "docker_image" "api" {
  name         = var.api_image
  keep_locally = true
}

resource "docker_container" "api" {
  name          = "shop-api"
  image         = docker_image.api.image_id
  command       = ["serve", "--port", "8080"]
  user          = "10001:10001"
  read_only     = true
  privileged    = false
  security_opts = ["no-new-privileges:true"]
  memory        = 256
  memory_swap   = 256
  cpus          = "0.5"
  tmpfs = {
    "/tmp" = "size=16m,mode=0700,uid=10001,gid=10001,noexec,nosuid,nodev"
  }
  restart               = "unless-stopped"
  must_run              = true
  stop_timeout          = 10
  destroy_grace_seconds = 10
  wait                  = true
  wait_timeout          = 109
  log_driver            = "json-file"
  log_opts = {
    max-file = "3"
    max-size = "10m"
  }
  env = ["LEVEL=info", "MODE=plain", "TOOLS_URL=http://tools:9000/mcp"]

  capabilities {
    add  = []
    drop = ["ALL"]
  }

  healthcheck {
    test         = ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]
    interval     = "10s"
    timeout      = "3s"
    retries      = 3
    start_period = "10s"
  }

  networks_advanced {
    name    = docker_network.to_db.name
    aliases = ["api"]
  }

  networks_advanced {
    name    = docker_network.to_tools.name
    aliases = ["api"]
  }

  networks_advanced {
    name    = docker_network.in_api.name
    aliases = ["api"]
  }

  ports {
    internal = 8080
    external = 8080
    ip       = "127.0.0.1"
    protocol = "tcp"
  }

  mounts {
    type      = "bind"
    source    = abspath("${path.module}/../../keys/db")
    target    = "/run/secrets/db-key"
    read_only = true
  }

  labels {
    label = "agentci.deployment"
    value = "shop"
  }

  labels {
    label = "agentci.service"
    value = "api"
  }

  labels {
    label = "agentci.spec-sha256"
    value = "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847"
  }

  depends_on = [docker_container.db, docker_container.tools]
}

resource "docker_image" "db" {
  name         = var.db_image
  keep_locally = true
}

resource "docker_container" "db" {
  name                  = "shop-db"
  image                 = docker_image.db.image_id
  user                  = "10001:10001"
  read_only             = true
  privileged            = false
  security_opts         = ["no-new-privileges:true"]
  memory                = 1024
  memory_swap           = 1024
  cpus                  = "1"
  restart               = "unless-stopped"
  must_run              = true
  stop_timeout          = 10
  destroy_grace_seconds = 10
  wait                  = true
  wait_timeout          = 109
  log_driver            = "json-file"
  log_opts = {
    max-file = "3"
    max-size = "10m"
  }

  capabilities {
    add  = []
    drop = ["ALL"]
  }

  healthcheck {
    test         = ["CMD", "ready"]
    interval     = "10s"
    timeout      = "3s"
    retries      = 3
    start_period = "10s"
  }

  networks_advanced {
    name    = docker_network.to_db.name
    aliases = ["db"]
  }

  mounts {
    type      = "volume"
    source    = docker_volume.data.name
    target    = "/var/lib/data"
    read_only = false
  }

  mounts {
    type      = "bind"
    source    = abspath("${path.module}/../../keys/db")
    target    = "/run/secrets/db-key"
    read_only = true
  }

  labels {
    label = "agentci.deployment"
    value = "shop"
  }

  labels {
    label = "agentci.service"
    value = "db"
  }

  labels {
    label = "agentci.spec-sha256"
    value = "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847"
  }
}

resource "docker_image" "tools" {
  name         = var.tools_image
  keep_locally = true
}

resource "docker_container" "tools" {
  name                  = "shop-tools"
  image                 = docker_image.tools.image_id
  command               = ["python", "-m", "tools"]
  user                  = "10001:10001"
  read_only             = true
  privileged            = false
  security_opts         = ["no-new-privileges:true"]
  memory                = 256
  memory_swap           = 256
  cpus                  = "0.5"
  restart               = "unless-stopped"
  must_run              = true
  stop_timeout          = 10
  destroy_grace_seconds = 10
  wait                  = true
  wait_timeout          = 109
  log_driver            = "json-file"
  log_opts = {
    max-file = "3"
    max-size = "10m"
  }

  capabilities {
    add  = []
    drop = ["ALL"]
  }

  healthcheck {
    test = [
      "CMD",
      "python",
      "-c",
      "import urllib.request as r; r.urlopen('http://127.0.0.1:9000/health', timeout=3)",
    ]
    interval     = "10s"
    timeout      = "3s"
    retries      = 3
    start_period = "10s"
  }

  networks_advanced {
    name    = docker_network.to_tools.name
    aliases = ["tools"]
  }

  labels {
    label = "agentci.deployment"
    value = "shop"
  }

  labels {
    label = "agentci.service"
    value = "tools"
  }

  labels {
    label = "agentci.spec-sha256"
    value = "d982c986dd6f11e426542db8a01b77e6d36fbe8421527f600dadde4d1a503847"
  }
}
