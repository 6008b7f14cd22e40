"""The test harness: cases are run in environments, and their answers judged and reported."""
