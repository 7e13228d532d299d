"""The app: registers customers as A2P 10DLC Sole Proprietors through Twilio. docs/architecture.md has the map."""
