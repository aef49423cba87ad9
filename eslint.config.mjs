import eslint from '@eslint/js';
import { globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const ONE_TENSORFLOW =
  "Take tf from 'focal-loss-lab': two TensorFlows in one process do not know each other's tensors.";
const oneTensorflow = (...allowed) => [
  'error',
  { patterns: [{ group: ['@tensorflow/*', ...allowed.map((name) => `!${name}`)], message: ONE_TENSORFLOW }] },
];

export default tseslint.config(
  globalIgnores([
    '**/dist/',
    '.venv/',
    '.setup/',
    '.bench/',
    '.census/',
    '.nbgrader/',
    '.lite/',
    '.gpu-package/',
    '.arm64/',
    'data/',
    'site/',
    '**/.ipynb_checkpoints/',
  ]),
  eslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
    },
  },
  { files: ['eslint.config.mjs'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['scripts/**', '*.mjs', 'lib/shims/**'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'performance',
          'Buffer',
          'URL',
          'fetch',
          'setTimeout',
          'clearTimeout',
          'setImmediate',
          'WebSocket',
          'AbortController',
          'AbortSignal',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-unused-vars': ['error', { varsIgnorePattern: '^_' }] },
  },
  {
    // Scripts of web pages, not modules.
    files: ['scripts/site/page.js', 'scripts/site/census.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        document: 'readonly',
        location: 'readonly',
        renderMathInElement: 'readonly',
        vegaEmbed: 'readonly',
        ResizeObserver: 'readonly',
      },
    },
  },
  {
    // The browser edition: a page and a worker.
    files: ['scripts/site/lite/{kernel,library}/**'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['Blob', 'DecompressionStream', 'ImageData', 'MessageChannel', 'OffscreenCanvas', 'Response'],
          ...['Worker', 'XMLHttpRequest', 'btoa', 'document', 'location', 'navigator', 'self', 'window'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.cjs', 'lib/shims/**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', __dirname: 'readonly' },
    },
  },
  {
    files: ['lib/**/*.ts', '**/*.ipynb.ts'],
    extends: [tseslint.configs.recommended],
    rules: {
      'no-restricted-imports': oneTensorflow(),
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
  {
    files: ['lib/test/**'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['describe', 'test', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
  { files: ['lib/src/tf/**', 'lib/src/losses/tf.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    // The process of a sweep leaves the memory, a GPU's above all, to its workers.
    files: ['lib/src/sweep/**'],
    ignores: ['lib/src/sweep/worker.ts', 'lib/src/sweep/compareLosses.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^\\.\\./(?!display/|results/runFile|results/table|grid/lossNames|writeWhole|isRunning)',
              allowTypeImports: true,
              message:
                'The process of a sweep does not load TensorFlow: import a file that does not, or types.',
            },
          ],
        },
      ],
    },
  },
  {
    // The last expression of a cell is its output; a name of one cell is used by later ones (check-notebooks.mjs tells).
    files: ['**/*.ipynb.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    // A solution leaves no todo(), and an exercise has not yet used what it imports.
    files: ['notebooks/{solutions,exercises}/*.ipynb.ts'],
    rules: { '@typescript-eslint/no-unused-vars': 'off' },
  },
);
