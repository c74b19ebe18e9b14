"""A provider binding for tests: as npm has them, but of one small resource, and its archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from agentci.core.digest import Digest
from agentci.deploy.packs.archive import integrity_of
from agentci.deploy.packs.sources import PackSource

JAVASCRIPT = """\
"use strict";
function boxLidToTerraform(struct) {
    return {
        color: cdktf.stringToTerraform(struct.color),
    };
}
function boxLidToHclTerraform(struct) {
    const attrs = {
        color: {
            value: cdktf.stringToHclTerraform(struct.color),
            isBlock: false,
            type: "simple",
            storageClassType: "string",
        },
        screws: {
            value: cdktf.listMapperHcl(cdktf.numberToHclTerraform, false)(struct.screws),
            isBlock: false,
            type: "set",
            storageClassType: "numberList",
        },
    };
    return attrs;
}
class BoxLidOutputReference extends cdktf.ComplexObject {
    // weight - computed: true, optional: false, required: false
    get weight() {
        return this.getNumberAttribute('weight');
    }
}
function boxSlotToHclTerraform(struct) {
    const attrs = {
        size: {
            value: cdktf.numberToHclTerraform(struct.size),
            isBlock: false,
            type: "simple",
            storageClassType: "number",
        },
    };
    return attrs;
}
class BoxSealOutputReference extends cdktf.ComplexObject {
    // number - computed: true, optional: false, required: false
    get number() {
        return this.getStringAttribute('number');
    }
}
class BoxSealList extends cdktf.ComplexList {
}
class Box extends cdktf.TerraformResource {
    constructor(scope, id, config) {
        super(scope, id, {
            terraformResourceType: 'toy_box',
            terraformGeneratorMetadata: {
                providerName: 'toy',
                providerVersion: '1.2.3',
                providerVersionConstraint: '~> 1.0'
            },
        });
        // seals - computed: true, optional: false, required: false
        this._seals = new BoxSealList(this, "seals", false);
    }
    // made_at - computed: true, optional: false, required: false
    get madeAt() {
        return this.getStringAttribute('made_at');
    }
    // owners - computed: true, optional: false, required: false
    get owners() {
        return cdktf.Fn.tolist(this.getListAttribute('owners'));
    }
    synthesizeHclAttributes() {
        const attrs = {
            box_name: {
                value: cdktf.stringToHclTerraform(this._boxName),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            kind: {
                value: cdktf.stringToHclTerraform(this._kind),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            labels: {
                value: cdktf.hashMapperHcl(cdktf.stringToHclTerraform)(this._labels),
                isBlock: false,
                type: "map",
                storageClassType: "stringMap",
            },
            lid: {
                value: boxLidToHclTerraform(this._lid.internalValue),
                isBlock: true,
                type: "list",
                storageClassType: "BoxLidList",
            },
            slot: {
                value: cdktf.listMapperHcl(boxSlotToHclTerraform, true)(this._slot.internalValue),
                isBlock: true,
                type: "set",
                storageClassType: "BoxSlotList",
            },
            inner: {
                value: boxSlotToHclTerraform(this._inner.internalValue),
                isBlock: false,
                type: "struct",
                storageClassType: "BoxSlot",
            },
        };
        return attrs;
    }
}
Box.tfResourceType = "toy_box";
"""
DECLARATIONS = """\
export interface BoxConfig extends cdktf.TerraformMetaArguments {
    /**
    * Name of it.
    *
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x#box_name Box#box_name}
    */
    readonly boxName: string;
    /**
    * What it is. Possible values: ["OPEN", "SHUT"]
    *
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x#kind Box#kind}
    */
    readonly kind?: string;
    readonly labels?: {
        [key: string]: string;
    };
    /**
    * lid block
    *
    * Docs at Terraform Registry: {@link https://registry.terraform.io/x#lid Box#lid}
    */
    readonly lid: BoxLid;
    readonly slot?: BoxSlot[] | cdktf.IResolvable;
    readonly inner?: BoxSlot;
}
export interface BoxLid {
    readonly color: string;
    readonly screws?: number[];
}
export interface BoxSlot {
    readonly size?: number;
}
"""
PROVIDER_JAVASCRIPT = """\
class ToyProvider extends cdktf.TerraformProvider {
    synthesizeHclAttributes() {
        const attrs = {
            alias: {
                value: cdktf.stringToHclTerraform(this._alias),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
            room: {
                value: cdktf.stringToHclTerraform(this._room),
                isBlock: false,
                type: "simple",
                storageClassType: "string",
            },
        };
        return attrs;
    }
}
ToyProvider.tfResourceType = "toy";
"""
PROVIDER_DECLARATIONS = """\
export interface ToyProviderConfig {
    readonly alias?: string;
    readonly room?: string;
}
"""
FILES: Mapping[str, str] = {
    "package/lib/box/index.js": JAVASCRIPT,
    "package/lib/box/index.d.ts": DECLARATIONS,
    "package/lib/provider/index.js": PROVIDER_JAVASCRIPT,
    "package/lib/provider/index.d.ts": PROVIDER_DECLARATIONS,
    "package/lib/chest/index.js": JAVASCRIPT.replace("toy_box", "toy_chest"),
    "package/lib/chest/index.d.ts": DECLARATIONS,
    "package/package.json": "{}",
}


def archive(files: Mapping[str, str] = FILES) -> bytes:
    """Return files packed as npm packs them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in sorted(files):
            data = files[name].encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def row(packed: bytes, *types: str, digest: str = "sha256:" + "0" * 64) -> PackSource:
    """Return a row that pins an archive."""
    return PackSource(
        source="maker/toy",
        version="1.2.3",
        package="@maker/provider-toy",
        package_version="9.0.0",
        integrity=integrity_of(packed),
        digest=Digest(digest),
        types=types or ("toy_box",),
    )
