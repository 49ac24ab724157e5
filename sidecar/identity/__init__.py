"""Who calls: one implementation of the Identity port for each way a listener can know its callers."""
