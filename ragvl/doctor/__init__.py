"""
What ragvl finds on this machine: packages, models, programs, the index, and room to work in.

It works where ragvl itself does not, so it imports little and asks package metadata instead; a part that cannot be
looked at becomes a finding.
"""

from ragvl.doctor.examination import diagnose
from ragvl.doctor.findings import Check, Diagnosis, Verdict

__all__ = ["Check", "Diagnosis", "Verdict", "diagnose"]
