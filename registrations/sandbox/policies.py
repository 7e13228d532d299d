"""The two policies that a sole proprietor needs, and the types they refer to.

Source: docs/twilio.md section 1.1 and 2.
"""

from __future__ import annotations

import re
from typing import Any

from .state import SOLE_PROP_POLICY, STARTER_POLICY, World
from .store import Obj
from .wire import Call, Reply, not_found, page_v1, route

STARTER_INFO = "starter_customer_profile_information"
ADDRESS_DOC = "customer_profile_address"
PRIMARY_TYPE = "primary_customer_profile_type_business"
SOLE_PROP_INFO = "sole_proprietor_information"
STARTER_TYPE = "starter_customer_profile_type_business"

VERTICALS = re.findall(
    r"\w+",
    "AGRICULTURE COMMUNICATION CONSTRUCTION EDUCATION ENERGY ENTERTAINMENT FINANCIAL GAMBLING GOVERNMENT "
    "HEALTHCARE HOSPITALITY HUMAN_RESOURCES INSURANCE LEGAL MANUFACTURING NGO POLITICAL POSTAL PROFESSIONAL "
    "REAL_ESTATE RETAIL TECHNOLOGY TRANSPORTATION",
)

# machine type -> (sid of the type, shown name, {field: shown name})
END_USER_TYPES: dict[str, tuple[str, str, dict[str, str]]] = {
    STARTER_INFO: (
        "OY" + "1" * 32,
        "Starter Customer Profile Information",
        {
            "first_name": "First Name",
            "last_name": "Last Name",
            "email": "Email",
            "phone_number": "Phone Number",
        },
    ),
    SOLE_PROP_INFO: (
        "OY" + "2" * 32,
        "Sole Proprietor Information",
        {"brand_name": "Brand Name", "mobile_phone_number": "Mobile Phone Number", "vertical": "Vertical"},
    ),
}
DOCUMENT_TYPES: dict[str, tuple[str, str, dict[str, str]]] = {
    ADDRESS_DOC: ("OY" + "3" * 32, "Physical Business Address", {"address_sids": "Address SID"}),
}


def _fields(fields: dict[str, str]) -> list[Obj]:
    return [
        {"machine_name": name, "friendly_name": shown, "constraint": "String", "description": shown}
        for name, shown in fields.items()
    ]


def _end_user(machine: str) -> Obj:
    _, shown, fields = END_USER_TYPES[machine]
    return {
        "name": shown,
        "type": machine,
        "requirement_name": machine,
        "url": f"/EndUsers/{machine}",
        "fields": list(fields),
        "detailed_fields": _fields(fields),
    }


def _requirements() -> dict[str, tuple[str, Obj]]:
    _, doc_name, doc_fields = DOCUMENT_TYPES[ADDRESS_DOC]
    document: Obj = {
        "name": doc_name,
        "type": "document",
        "requirement_name": ADDRESS_DOC,
        "description": "The customer's postal address",
        "accepted_documents": [
            {
                "name": doc_name,
                "type": ADDRESS_DOC,
                "url": f"/SupportingDocuments/{ADDRESS_DOC}",
                "fields": list(doc_fields),
                "detailed_fields": _fields(doc_fields),
            }
        ],
    }
    starter: Obj = {
        "end_user": [_end_user(STARTER_INFO)],
        "supporting_trust_products": [],
        "supporting_document": [[document]],
        "supporting_customer_profiles": [
            {
                "name": "Primary Customer Profile",
                "type": PRIMARY_TYPE,
                "requirement_name": "primary_customer_profile",
            }
        ],
    }
    sole_prop: Obj = {
        "end_user": [_end_user(SOLE_PROP_INFO)],
        "supporting_trust_products": [],
        "supporting_document": [],
        "supporting_customer_profiles": [
            {"name": "Starter Customer Profile", "type": kind, "requirement_name": "customer_profile"}
            for kind in (STARTER_TYPE, "starter_customer_profile_type_direct_long_tail")
        ],
    }
    return {
        STARTER_POLICY: ("Starter Customer Profile of type Business", starter),
        SOLE_PROP_POLICY: ("A2P Messaging Profile: Sole Proprietor", sole_prop),
    }


POLICIES = _requirements()


def _render_policy(row: Obj) -> Obj:
    name, requirements = POLICIES[row["_key"]]
    url = f"https://trusthub.twilio.com/v1/Policies/{row['_key']}"
    return {"sid": row["_key"], "friendly_name": name, "requirements": requirements, "url": url}


@route("GET", "/v1/Policies", listing=True)
def list_policies(world: World, call: Call) -> Reply:
    return page_v1(call, "trusthub", "results", [{"_key": sid} for sid in POLICIES], _render_policy)


@route("GET", "/v1/Policies/{Sid}")
def fetch_policy(world: World, call: Call) -> Reply:
    if call.args["Sid"] not in POLICIES:
        raise not_found(call.path)
    return Reply(200, _render_policy({"_key": call.args["Sid"]}))


def _type_routes(path: str, key: str, types: dict[str, tuple[str, str, dict[str, str]]]) -> None:
    def render(row: Obj) -> Obj:
        sid, shown, fields = types[row["_key"]]
        url = f"https://trusthub.twilio.com/v1/{path}/{sid}"
        shape: Any = _fields(fields)
        return {
            "sid": sid,
            "friendly_name": shown,
            "machine_name": row["_key"],
            "fields": shape,
            "url": url,
        }

    @route("GET", f"/v1/{path}", listing=True)
    def list_types(world: World, call: Call) -> Reply:
        return page_v1(call, "trusthub", key, [{"_key": name} for name in types], render)

    @route("GET", f"/v1/{path}/{{Sid:OY}}")
    def fetch_type(world: World, call: Call) -> Reply:
        for name, (sid, _, _) in types.items():
            if sid == call.args["Sid"]:
                return Reply(200, render({"_key": name}))
        raise not_found(call.path)


_type_routes("EndUserTypes", "end_user_types", END_USER_TYPES)
_type_routes("SupportingDocumentTypes", "supporting_document_types", DOCUMENT_TYPES)
