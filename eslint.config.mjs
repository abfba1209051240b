// @ts-check
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { oneWayImports } from './scripts/one-way-imports.mjs';

/**
 * Imports go one way: a module (a folder of src, or a file in it) imports only from rows above its own. Modules of one row
 * ignore each other.
 */
export const LAYERS = [
  ['errors'],
  ['limits'],
  ['bytes', 'request-context', 'counts'],
  [
    'telemetry',
    'log',
    'on-abort',
    'durable-file',
    'package',
    'socket-path',
    'claim-socket',
    'http-call',
    'plain-text',
    'gen',
  ],
  ['time-limit'],
  ['crypto', 'erasure'],
  ['chunk'],
  ['store', 'wire', 'documents'],
  ['peers', 'front'],
  ['durability'],
  ['catalog'],
  ['file'],
  ['healing'],
  ['services', 'home'],
  ['enrolment'],
  ['gateways'],
  ['config'],
  ['provision'],
  ['peer'],
  ['cli'],
];

/** Calls of node:test return promises that only its own runner awaits. */
const TEST_CALLS = ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'];

/**
 * What neither the compiler nor typescript-eslint sees.
 *
 * @type {import('eslint').Linter.RulesRecord}
 */
const CORE_RULES = {
  'array-callback-return': 'error',
  eqeqeq: 'error',
  'no-async-promise-executor': 'error',
  'no-cond-assign': 'error',
  'no-console': 'error',
  'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
  'no-duplicate-case': 'error',
  'no-empty': 'error',
  'no-empty-character-class': 'error',
  'no-loss-of-precision': 'error',
  'no-misleading-character-class': 'error',
  // In Node 20 the first garbage collection takes it away when nothing but an AbortSignal.any holds it.
  'no-restricted-properties': [
    'error',
    { object: 'AbortSignal', property: 'timeout', message: 'Use src/time-limit.ts.' },
  ],
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  // A loop over an iterable that takes only its first value is fine.
  'no-unreachable-loop': ['error', { ignore: ['ForOfStatement'] }],
  'no-unsafe-finally': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'object-shorthand': 'error',
};

export default defineConfig(
  { ignores: ['dist', '.build', 'node_modules', 'src/gen', 'src/erasure/assembly'] },
  {
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { shoal: { rules: { 'one-way-imports': oneWayImports(LAYERS) } } },
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['eslint.config.mjs', 'deploy/kubernetes/base/couchdb/*.mjs'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
    rules: {
      'shoal/one-way-imports': 'error',
      ...CORE_RULES,
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/max-params': ['error', { max: 4 }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: TEST_CALLS }] },
      ],
      // An interface may demand a promise, and async turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // A describe callback is a list, not a function to follow.
    files: ['**/*.test.ts', 'test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // A browser runs nothing of the server's; what both agree on are types.
    files: ['web/src/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(\\.\\./)+src/', allowTypeImports: true, message: 'Only types come from src.' }] },
      ],
    },
  },
  {
    // A list of words, for those who translate.
    files: ['web/src/strings.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    // Programs for a terminal; everything else gets a logger passed in.
    files: ['scripts/**', 'deploy/**', 'src/cli/**', 'bench/**', 'campaign/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // CouchDB runs the text of this one function, in ECMAScript 5; its test holds it to that.
    files: ['src/documents/rules/validate.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'no-var': 'off',
      'object-shorthand': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-find': 'off',
      '@typescript-eslint/prefer-includes': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/prefer-string-starts-ends-with': 'off',
    },
  },
  {
    // Their readers, ESLint and Node's test runner, demand a default export.
    files: ['eslint.config.mjs', 'scripts/test-report.mjs'],
    rules: { 'no-restricted-exports': 'off' },
  },
);
