"""The voting machine of a station: what the voter sees, what poll workers do, and how ballots are kept until the count."""
