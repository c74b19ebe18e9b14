# Made from deploy/board.yaml by `agentci deploy render`.
# Change that file and render again; `agentci deploy check` finds what is edited here.

resource "docker_network" "in_pages" {
  name     = "board-in-pages"
  driver   = "bridge"
  internal = false
  options = {
    "com.docker.network.bridge.enable_ip_masquerade" = "false"
  }

  labels {
    label = "agentci.deployment"
    value = "board"
  }
}

resource "docker_network" "to_feed" {
  name     = "board-to-feed"
  driver   = "bridge"
  internal = true

  labels {
    label = "agentci.deployment"
    value = "board"
  }
}

resource "docker_volume" "kept" {
  name   = "board-kept"
  driver = "local"

  labels {
    label = "agentci.deployment"
    value = "board"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "docker_image" "pages" {
  name         = var.pages_image
  keep_locally = true
}

resource "docker_container" "pages" {
  name                  = "board-pages"
  image                 = docker_image.pages.image_id
  command               = ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/site"]
  user                  = "10001:10001"
  read_only             = true
  privileged            = false
  security_opts         = ["no-new-privileges:true"]
  memory                = 32
  memory_swap           = 32
  cpus                  = "0.25"
  restart               = "unless-stopped"
  must_run              = true
  stop_timeout          = 1
  destroy_grace_seconds = 1
  wait                  = true
  wait_timeout          = 85
  log_driver            = "json-file"
  log_opts = {
    max-file = "3"
    max-size = "10m"
  }
  env = ["FEED_URL=http://feed:8081/feed.txt"]

  capabilities {
    add  = []
    drop = ["ALL"]
  }

  healthcheck {
    test = [
      "CMD",
      "/bin/busybox",
      "wget",
      "-q",
      "-O",
      "/dev/null",
      "http://127.0.0.1:8080/",
    ]
    interval     = "2s"
    timeout      = "3s"
    retries      = 3
    start_period = "10s"
  }

  networks_advanced {
    name    = docker_network.to_feed.name
    aliases = ["pages"]
  }

  networks_advanced {
    name    = docker_network.in_pages.name
    aliases = ["pages"]
  }

  ports {
    internal = 8080
    external = 18090
    ip       = "127.0.0.1"
    protocol = "tcp"
  }

  labels {
    label = "agentci.deployment"
    value = "board"
  }

  labels {
    label = "agentci.service"
    value = "pages"
  }

  labels {
    label = "agentci.spec-sha256"
    value = "d51d979646f52963400517b30c211242393d9791677c861ad71fe4588d248180"
  }

  depends_on = [docker_container.feed]
}

resource "docker_image" "feed" {
  name         = var.feed_image
  keep_locally = true
}

resource "docker_container" "feed" {
  name          = "board-feed"
  image         = docker_image.feed.image_id
  command       = ["/bin/busybox", "httpd", "-f", "-p", "8081", "-h", "/site"]
  user          = "10001:10001"
  read_only     = true
  privileged    = false
  security_opts = ["no-new-privileges:true"]
  memory        = 32
  memory_swap   = 32
  cpus          = "0.25"
  tmpfs = {
    "/tmp" = "size=4m,mode=0700,uid=10001,gid=10001,noexec,nosuid,nodev"
  }
  restart               = "unless-stopped"
  must_run              = true
  stop_timeout          = 1
  destroy_grace_seconds = 1
  wait                  = true
  wait_timeout          = 85
  log_driver            = "json-file"
  log_opts = {
    max-file = "3"
    max-size = "10m"
  }
  env = ["GREETING=costs $5, not $${PRICE}: it's \"fine\" %%{ok}"]

  capabilities {
    add  = []
    drop = ["ALL"]
  }

  healthcheck {
    test = [
      "CMD",
      "/bin/busybox",
      "wget",
      "-q",
      "-O",
      "/dev/null",
      "http://127.0.0.1:8081/feed.txt",
    ]
    interval     = "2s"
    timeout      = "3s"
    retries      = 3
    start_period = "10s"
  }

  networks_advanced {
    name    = docker_network.to_feed.name
    aliases = ["feed"]
  }

  mounts {
    type      = "volume"
    source    = docker_volume.kept.name
    target    = "/var/lib/feed"
    read_only = false
  }

  mounts {
    type      = "bind"
    source    = abspath("${path.module}/../../keys/feed-key")
    target    = "/run/secrets/feed-key"
    read_only = true
  }

  labels {
    label = "agentci.deployment"
    value = "board"
  }

  labels {
    label = "agentci.service"
    value = "feed"
  }

  labels {
    label = "agentci.spec-sha256"
    value = "d51d979646f52963400517b30c211242393d9791677c861ad71fe4588d248180"
  }
}
