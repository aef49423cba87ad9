// scripts/grade.py is tested in its own language.
import { unittests } from './unittests.mjs';

unittests('test_grade.py');
