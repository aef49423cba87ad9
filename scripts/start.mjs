// npm start: opens JupyterLab on the map of the notebooks.
import { root } from './setup/project.mjs';
import { runInForeground } from './setup/processes.mjs';

if (process.argv.includes('--help')) {
  console.log(`npm start -- [OPTION...]

Opens JupyterLab on the map of the notebooks. The options are JupyterLab's, such as --no-browser and --port 8899:
.venv/bin/jupyter lab --help lists them. FOCAL_PROFILE=quick or paper chooses how long the notebooks train.`);
  process.exit();
}
const profile = process.env.FOCAL_PROFILE;
if (profile && !['quick', 'paper'].includes(profile)) {
  console.error(`[start] FOCAL_PROFILE is '${profile}'; expected 'quick' or 'paper'`);
  process.exit(2);
}
const args = ['lab', `--ServerApp.root_dir=${root}`, '--LabApp.default_url=/lab/tree/notebooks/index.ipynb'];
if (process.getuid() === 0) {
  console.log('[start] you are root: JupyterLab gets --allow-root');
  args.push('--allow-root');
}
process.exit(await runInForeground('jupyter', [...args, ...process.argv.slice(2)]));
