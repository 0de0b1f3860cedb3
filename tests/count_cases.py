"""Prints "PASSED FAILED" for a JUnit file of ctest: a cmocka program counts with its own cases, another program as one."""
import re
import sys
import xml.etree.ElementTree as ET

passed = failed = 0
for case in ET.parse(sys.argv[1]).getroot().iter("testcase"):
    output = case.findtext("system-out") or ""
    ok = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M))
    bad = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (?:tests: )?(\d+) test", output, re.M))
    if case.get("status") == "run":
        passed += ok or 1
    else:
        passed += ok
        failed += bad or 1
print(passed, failed)
