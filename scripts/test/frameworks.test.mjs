// The files of frameworks/ that run on what the project has installed; npm run frameworks tests them all.
import { unittests } from './unittests.mjs';

for (const name of ['reference', 'boosting', 'keras']) unittests(`../../frameworks/test/test_${name}.py`);
