// The kernel, its processes and Stop, tested through Jupyter's own client, which is Python's.
import { unittests } from './unittests.mjs';

unittests('test_kernel.py');
