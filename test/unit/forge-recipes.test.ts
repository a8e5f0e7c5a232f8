import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choosePlan } from '../../sandbox/forge/caches';
import { isAtLeast, requiredGo } from '../../sandbox/forge/go';
import { parseRecipes, stages } from '../../sandbox/forge/recipe';
import { labRecipes, recipes, selectRecipes } from '../../sandbox/forge/recipes';
import { componentSource } from '../../sandbox/forge/source';
import { goDirective, workspaceModule } from '../../sandbox/forge/workspace';
import { stages as labStages } from '../../sandbox/stages';
import { OperatorError } from '../../support/failure';

const sum = `h1:${'A'.repeat(43)}=`;
const example = {
  name: 'example',
  role: 'an example',
  provenance: 'upstream',
  stage: 'cluster',
  module: { path: 'example.org/example', version: 'v1.34.3', sum },
  binaries: [{ package: 'example.org/example', binary: 'example' }],
  diskGiB: 1,
};

describe('recipes', () => {
  it('are built in the order of the stages that need them', () => {
    const order = recipes.map((recipe) => stages.indexOf(recipe.stage));
    deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });

  it('refuse a version that is not exact', () => {
    for (const version of ['latest', 'v1', 'v1.2', 'main']) {
      throws(() => parseRecipes([{ ...example, module: { ...example.module, version } }]), /exact version/);
    }
  });

  it('refuse a checksum that is none', () => {
    throws(() => parseRecipes([{ ...example, module: { ...example.module, sum: 'sha256:1' } }]));
  });

  it('refuse a component or a binary that is there twice', () => {
    throws(() => parseRecipes([example, example]), /component example is there twice/);
    throws(() => parseRecipes([example, { ...example, name: 'other' }]), /binary example is there twice/);
  });

  it('need exactly one source', () => {
    throws(() => parseRecipes([{ ...example, module: undefined }]), /either module or local/);
    throws(() => parseRecipes([{ ...example, local: 'standins' }]), /either module or local/);
  });

  it('are selected by name, in build order', () => {
    deepEqual(
      selectRecipes(['helm', 'etcd']).map((recipe) => recipe.name),
      ['etcd', 'helm'],
    );
    throws(
      () => selectRecipes(['etcd', 'k3s']),
      (thrown: unknown) => thrown instanceof OperatorError && /k3s/.test(thrown.message) && thrown.parts.exitCode === 2,
    );
  });

  it('of trials are built when they are named, and no lab waits for one', () => {
    const trials = recipes.filter(({ stage }) => stage === 'trials').map(({ name }) => name);
    deepEqual(trials, ['actions-runner']);
    deepEqual(
      selectRecipes(trials).map(({ name }) => name),
      trials,
    );
    for (const { name } of [...selectRecipes('all'), ...labRecipes]) ok(!trials.includes(name), name);
    for (const { name, components } of labStages) ok(!components.some((component) => trials.includes(component)), name);
  });

  it('change their digest with whatever changes the binaries, and with nothing else', () => {
    const [recipe] = parseRecipes([example]);
    ok(recipe);
    const digest = componentSource(recipe).digest;
    equal(componentSource({ ...recipe, role: 'another', diskGiB: 9 }).digest, digest);
    for (const change of [{ tags: ['x'] }, { cgo: true }, { defines: { a: 'b' } }, { pins: { a: 'v1.0.0' } }]) {
      ok(componentSource({ ...recipe, ...change }).digest !== digest);
    }
  });
});

describe('the throw-away module', () => {
  const upstream = [
    'module example.org/example',
    'go 1.25.4 // newest',
    'godebug x509negativeserial=1',
    'require a.org/a v1.0.0',
    'replace (',
    '  a.org/a => b.org/a v1.2.3 // fork',
    '  a.org/api v0.1.0 => ./api',
    '  k8s.io/api => ./staging/src/k8s.io/api',
    ')',
    'replace c.org/c v1.0.0 => d.org/c v1.0.1',
  ].join('\n');
  const [recipe] = parseRecipes([{ ...example, pins: { 'p.org/p': 'v0.20.0' } }]);

  it('repeats what upstream decided, except replacements by its own folders', () => {
    ok(recipe);
    equal(
      workspaceModule(recipe, upstream),
      [
        'module forge.local/example',
        'go 1.25.4',
        'godebug x509negativeserial=1',
        'require example.org/example v1.34.3',
        'require p.org/p v0.20.0',
        'replace a.org/a => b.org/a v1.2.3',
        'replace k8s.io/api => k8s.io/api v0.34.3',
        'replace c.org/c v1.0.0 => d.org/c v1.0.1',
        '',
      ].join('\n'),
    );
  });

  it('asks for the Go that upstream asks for', () => {
    equal(goDirective('module x\ngo 1.26.6\n'), '1.26.6');
    equal(goDirective('module x\ngo 1.18\n'), '1.21');
  });
});

describe('Go versions', () => {
  it('are compared by number', () => {
    ok(isAtLeast('1.26.8', requiredGo));
    ok(isAtLeast('1.27', requiredGo));
    ok(!isAtLeast('1.9.9', requiredGo));
    ok(!isAtLeast('1.26.5', '1.26.6'));
  });
});

describe('the disk', () => {
  const chosen = selectRecipes(['kubernetes', 'vault']);
  it('takes one shared cache, one cache at a time, or none at all', () => {
    equal(choosePlan(chosen, 40, '/cache'), 'shared');
    equal(choosePlan(chosen, 8, '/cache'), 'per component');
    throws(() => choosePlan(chosen, 2, '/cache'), /free disk/);
  });
  it('says how much is there and what to do', () => {
    try {
      choosePlan(chosen, 2, '/cache');
    } catch (thrown) {
      match(String(thrown), /2\.0 GiB.*XDG_CACHE_HOME.*--import/);
    }
  });
});
