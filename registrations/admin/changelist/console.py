"""Where an object is found in Twilio's Console.

The Console's addresses are not documented anywhere we could check, so every path here is UNVERIFIED; a wrong one
costs an agent one click. They are kept in this one table so that a correction is one line.
"""

CONSOLE = "https://console.twilio.com"

# By SID prefix. Customer Profiles and Trust Products share BU; both are found under the Trust Hub.
_PATHS = {
    "AC": "/",
    "AD": "/us1/develop/phone-numbers/regulatory-compliance/addresses/{sid}",
    "BN": "/us1/develop/sms/regulatory-compliance/brands/{sid}",
    "BU": "/us1/account/trust-hub/customer-profiles/{sid}",
    "CM": "/us1/develop/sms/regulatory-compliance/campaigns",
    "MG": "/us1/develop/sms/services/{sid}",
    "PN": "/us1/develop/phone-numbers/manage/incoming/{sid}/configure",
    "QE": "/us1/develop/sms/regulatory-compliance/campaigns",
}


def console_url(sid: str) -> str:
    """The Console page of a SID, or "" where the Console has no page for its kind (IT, RD, BV, EL, …).

    >>> console_url("MG" + "0" * 32).endswith("/us1/develop/sms/services/MG" + "0" * 32)
    True
    >>> console_url("IT" + "0" * 32)
    ''
    """
    path = _PATHS.get(sid[:2])
    return CONSOLE + path.format(sid=sid) if path else ""
