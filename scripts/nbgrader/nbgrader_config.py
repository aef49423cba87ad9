import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent
sys.path.insert(0, str(COURSE))

from focal_loss_lab import PointsOfChecks, StudentsCopy  # noqa: E402
from nbgrader.converters import Autograde, GenerateAssignment  # noqa: E402
from nbgrader.preprocessors import ClearSolutions, SaveAutoGrades  # noqa: E402

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = 'focal-loss-lab'
c.CourseDirectory.root = str(COURSE)

# nbgrader's own steps, with one of ours in the place of its solutions, and one before it reads the points.
generate = GenerateAssignment.preprocessors.default()
c.GenerateAssignment.preprocessors = [StudentsCopy if step is ClearSolutions else step for step in generate]
autograde = Autograde.autograde_preprocessors.default()
at = autograde.index(SaveAutoGrades)
c.Autograde.autograde_preprocessors = [*autograde[:at], PointsOfChecks, *autograde[at:]]

c.Execute.timeout = 600  # seconds per cell
c.ExecutePreprocessor.startup_timeout = 120
