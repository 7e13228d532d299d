"""Everything Twilio says and how we call it: the client, the catalogue of rejections, the status words. No database."""
