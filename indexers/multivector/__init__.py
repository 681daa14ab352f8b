"""Late interaction: pages as bags of vectors, kept in three tiers, compared by MaxSim."""
