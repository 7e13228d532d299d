"""The sandbox's page: reply YES for the customer, approve or reject things, see recent requests."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from . import brands
from .store import Obj

if TYPE_CHECKING:
    from .state import World

STYLE = """
:root { color-scheme: light dark; --bg:#f6f7f9; --card:#fff; --ink:#1d2430; --dim:#667085; --line:#e3e6eb;
 --accent:#1f6feb; --good:#1a7f4b; --bad:#b42318; }
@media (prefers-color-scheme: dark) { :root { --bg:#12161c; --card:#1a2029; --ink:#e6eaf0; --dim:#98a2b3;
 --line:#2c3440; --accent:#6aa5ff; --good:#5cc98d; --bad:#ff8f85; } }
* { box-sizing: border-box; } body { margin:0; background:var(--bg); color:var(--ink);
 font:15px/1.5 system-ui,sans-serif; }
main { max-width:860px; margin:0 auto; padding:24px 16px 48px; } h1 { font-size:20px; margin:0 0 4px; }
h2 { font-size:13px; color:var(--dim); text-transform:uppercase; letter-spacing:.05em; margin:28px 0 8px; }
p { margin:4px 0; color:var(--dim); } ul { list-style:none; margin:0; padding:0; background:var(--card);
 border:1px solid var(--line); border-radius:10px; overflow:hidden; }
li { display:flex; flex-wrap:wrap; gap:8px 12px; align-items:center; padding:12px 14px;
 border-top:1px solid var(--line); } li:first-child { border-top:0; } li>div { flex:1 1 220px; min-width:0; }
small { display:block; color:var(--dim); overflow-wrap:anywhere; } form { display:inline; margin:0; }
button { font:inherit; min-height:36px; padding:4px 14px; border-radius:8px; border:1px solid var(--line);
 background:transparent; color:var(--ink); cursor:pointer; } button.primary { background:var(--accent);
 border-color:var(--accent); color:var(--card); font-weight:600; }
.good { color:var(--good); } .bad { color:var(--bad); } code { font-size:13px; overflow-wrap:anywhere; }
"""
SHOWN = 25


def _button(path: str, label: str, css: str = "", **fields: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return (
        f'<form method="post" action="/_sandbox/{escape(path)}">{hidden}'
        f'<button class="{css}">{escape(label)}</button></form>'
    )


def _item(title: str, detail: str, buttons: str = "", css: str = "") -> str:
    return (
        f'<li><div><span class="{css}">{escape(title)}</span><small>{escape(detail)}</small></div>'
        f"<span>{buttons}</span></li>"
    )


def _section(heading: str, items: list[str], empty: str) -> str:
    body = "".join(items) or f"<li><p>{escape(empty)}</p></li>"
    return f"<h2>{escape(heading)}</h2><ul>{body}</ul>"


def _brand_name(brand: Obj) -> str:
    return str(((brand.get("_trust") or {}).get("end_user") or {}).get("brand_name") or brand["sid"])


def _otp_texts(world: World) -> list[str]:
    items = []
    for brand in brands.outstanding(world)[:SHOWN]:
        hours = (brand["_otp_sent_at"] + world.scaled(brands.OTP_LIFE) - world.now) / 3600
        left = f"{hours:.1f} h left" if hours >= 0.1 else f"{hours * 3600:.0f} s left"
        detail = f"{_brand_name(brand)} · OTP text {brand['_otps']} · {left} · waiting for YES"
        sid = brand["sid"]
        buttons = _button("answer", "Reply YES", "primary", brand_sid=sid, body="YES")
        buttons += " " + _button("answer", "Reply NO", brand_sid=sid, body="NO")
        items.append(_item(brand["_mobile"], detail, buttons))
    return items


def _brands(world: World) -> list[str]:
    items = []
    for brand in world.newest_first("BrandRegistrations")[:SHOWN]:
        path = f"brand/{brand['sid']}"
        codes = [item.get("error_code") or item.get("registrationerrorcode") for item in brand["errors"]]
        detail = " · ".join(
            str(part)
            for part in (brand["status"], brand["identity_status"], *codes, brand["sid"])
            if part is not None
        )
        buttons = ""
        if brand["status"] == "PENDING":
            buttons = _button(path, "Approve", action="approve") + " "
            buttons += _button(path, "Reject (30799)", action="reject", code="30799")
        elif brand["status"] == "APPROVED":
            buttons = _button(path, "Suspend", action="suspend")
        elif brand["status"] == "FAILED":
            buttons = _button(path, "Delete (Console)", action="delete")
        items.append(_item(_brand_name(brand), detail, buttons))
    return items


def _campaigns(world: World) -> list[str]:
    items = []
    for campaign in world.newest_first("Usa2p")[:SHOWN]:
        path = f"campaign/{campaign['_key']}"
        status = campaign["campaign_status"]
        codes = ", ".join(str(item["error_code"]) for item in campaign["errors"])
        detail = f"{status} {codes} · {campaign['_key']}"
        buttons = ""
        if status in ("PENDING", "IN_PROGRESS"):
            buttons = _button(path, "Approve", action="approve") + " "
            fields = "USE_CASE_DESCRIPTION"
            buttons += _button(path, "Reject (30886)", action="reject", code="30886", fields=fields)
        elif status == "VERIFIED":
            buttons = _button(path, "Suspend", action="suspend")
        items.append(_item(campaign["description"][:80], detail, buttons))
    return items


def _bundles(world: World, kind: str) -> list[str]:
    items = []
    for bundle in world.newest_first(kind)[:SHOWN]:
        buttons = ""
        if bundle["status"] in ("pending-review", "in-review"):
            path = f"bundle/{bundle['sid']}"
            buttons = _button(path, "Approve", action="approve") + " "
            if kind == "CustomerProfiles":
                buttons += _button(path, "Reject (email)", action="reject", reason="Email is invalid.")
            else:
                buttons += _button(path, "Reject (18602)", action="reject", code="18602")
        reason = bundle.get("_failure_reason") or ""
        items.append(
            _item(bundle["friendly_name"], f"{bundle['status']} {reason} · {bundle['sid']}", buttons)
        )
    return items


def _requests(world: World) -> list[str]:
    items = []
    for entry in list(world.store.log)[-SHOWN:][::-1]:
        code = f" · {entry['code']}" if entry["code"] else ""
        fault = f" · fault {entry['fault']}" if entry["fault"] else ""
        css = "bad" if entry["status"] >= 400 else ""
        title = f"{entry['method']} {entry['path']}"
        items.append(_item(title, f"{entry['status']}{code}{fault} · {entry['time']}", css=css))
    return items


def page(world: World) -> str:
    """The whole page as HTML. All text is escaped; there are no scripts and no external files."""
    with world.lock:
        world.run_due()
        sections = [
            _section("OTP texts", _otp_texts(world), "No OTP texts are waiting for a reply."),
            _section("Brands", _brands(world), "No brands yet."),
            _section("Campaigns", _campaigns(world), "No campaigns yet."),
            _section("Customer profiles", _bundles(world, "CustomerProfiles"), "No profiles yet."),
            _section("Trust bundles", _bundles(world, "TrustProducts"), "No trust bundles yet."),
            _section("Recent requests", _requests(world), "No requests yet."),
        ]
        world.store.commit()
        scale = world.config.time_scale
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="refresh" content="10"><link rel="icon" href="data:,">'
        f"<title>Twilio sandbox</title><style>{STYLE}</style></head>"
        "<body><main><h1>Twilio sandbox</h1>"
        f"<p>Nothing leaves this machine. Delays × {scale:g}. Reloads every 10 s.</p>"
        f"{''.join(sections)}</main></body></html>"
    )
