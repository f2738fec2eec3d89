"""What observers and agents said of the stations' sheets, held beside the record: countersignatures and attestations. Pure."""
