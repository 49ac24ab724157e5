"""What the Policy allows: rules that turn a Principal and a Call into a Permit. Pure."""
