// Opens JupyterLab on the map of the notebooks. Run by `npm start`, inside the environment; further arguments are
// JupyterLab's: npm start -- --no-browser --port 8899
import { root } from './setup/project.mjs';
import { runInForeground } from './setup/processes.mjs';

const profile = process.env.FOCAL_PROFILE;
if (profile && !['quick', 'paper'].includes(profile)) {
  console.error(`[start] FOCAL_PROFILE is '${profile}'; expected 'quick' or 'paper'`);
  process.exit(1);
}
const args = ['lab', `--ServerApp.root_dir=${root}`, '--LabApp.default_url=/lab/tree/notebooks/index.ipynb'];
if (process.getuid() === 0) {
  console.log('[start] you are root: JupyterLab gets --allow-root');
  args.push('--allow-root');
}
process.exit(await runInForeground('jupyter', [...args, ...process.argv.slice(2)]));
