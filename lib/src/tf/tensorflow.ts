// The only import of TensorFlow.js in this project: everything else, notebooks included, takes `tf` from this folder,
// so that there is one TensorFlow in the process.
import './compat';
import './environment';
import * as tf from '@tensorflow/tfjs-node-gpu';

export { tf };
