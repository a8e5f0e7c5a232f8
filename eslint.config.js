const tseslint = require('typescript-eslint');

/** The layers of docs/architecture.md: a folder may not import from those named. */
const layers = {
  'support/**/*.ts': ['steps', 'features', 'test', 'bench'],
  'sandbox/**/*.ts': [
    'steps',
    'features',
    'test',
    'bench',
    'reports',
    'support/world',
    'support/hooks',
    'support/suite',
  ],
  'drills/**/*.ts': [
    'steps',
    'features',
    'sandbox',
    'test',
    'bench',
    'reports',
    'support/suite',
    'support/hooks',
    'support/world',
  ],
  'steps/**/*.ts': ['sandbox', 'test', 'bench', 'reports', 'support/suite'],
  'reports/**/*.ts': ['steps', 'sandbox', 'test', 'bench', 'support/hooks', 'support/suite', 'support/world'],
};

/** The suite finds the lab only through support/target/. These two build on the lab's own code and say why in their heads. */
const mayUseTheLab = ['support/target/**'];

const layerRule = (folders) => [
  'error',
  {
    patterns: folders.map((folder) => ({
      regex: `^(\\.\\./)+${folder}(/|$)`,
      message: `Layers point one way: this folder may not import from ${folder}/.`,
    })),
  },
];

const timers = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval'].map((name) => ({
      name,
      message: 'Waiting is the business of support/eventually.ts.',
    })),
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'].map((name) => ({
        name,
        message: 'Waiting is the business of support/eventually.ts.',
      })),
    },
  ],
};

/** Selectors of code that looks like a check and is none. */
const hollow = [
  {
    selector:
      'CallExpression[callee.name=/^(Given|When|Then|Before|After|BeforeAll|AfterAll)$/] > :function > BlockStatement[body.length=0]',
    message: 'A step without a body checks nothing.',
  },
  {
    selector: 'MemberExpression[object.name=/^(test|it|describe|suite)$/][property.name=/^(only|skip|todo)$/]',
    message: 'A test that is left out, or that leaves the others out, is green for nothing.',
  },
  {
    selector: 'CallExpression[callee.name=/^(test|it)$/] > :function > BlockStatement[body.length=0]',
    message: 'A test without a body checks nothing.',
  },
  {
    selector: 'CallExpression[callee.property.name="wait"][callee.object.name="Atomics"]',
    message: 'Waiting is the business of support/eventually.ts.',
  },
];

module.exports = tseslint.config(
  { ignores: ['node_modules/**', 'reports/out/**', 'sandbox/standins/**', '**/*.js', '**/*.mjs'] },
  ...tseslint.configs.strict,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...timers,
      'no-restricted-syntax': ['error', ...hollow],
      '@typescript-eslint/no-explicit-any': 'error',
      // node:test runs and awaits what it is given.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // World and its like need a class; `declare readonly` markers and namespaces of constants do not hurt.
      '@typescript-eslint/no-extraneous-class': 'off',
      // Cucumber hands the World to steps as `this`.
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-console': 'off',
      eqeqeq: 'error',
    },
  },
  ...Object.entries(layers).map(([files, folders]) => ({
    files: [files],
    rules: {
      'no-restricted-imports': ['error', { ...layerRule(folders)[1], paths: timers['no-restricted-imports'][1].paths }],
    },
  })),
  {
    files: ['support/**/*.ts'],
    ignores: mayUseTheLab,
    rules: {
      'no-restricted-imports': [
        'error',
        { ...layerRule([...layers['support/**/*.ts'], 'sandbox'])[1], paths: timers['no-restricted-imports'][1].paths },
      ],
    },
  },
  {
    // The only wait in the project.
    files: ['support/eventually.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-imports': 'off' },
  },
);
