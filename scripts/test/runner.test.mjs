// scripts/run-notebooks.py is tested in its own language.
import { unittests } from './unittests.mjs';

unittests('test_runner.py');
