// Imported before TensorFlow: with more than one thread it may add up in another order from one run to the next.
process.env.TF_NUM_INTRAOP_THREADS = '1';
process.env.TF_NUM_INTEROP_THREADS = '1';
