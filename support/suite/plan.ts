import { readFileSync } from 'node:fs';
import { resolve, relative } from 'node:path';
import { loadConfiguration, loadSources, type IRunConfiguration } from '@cucumber/cucumber/api';
import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { IdGenerator, type Pickle } from '@cucumber/messages';
import parseTagExpression from '@cucumber/tag-expressions';
import { OperatorError, reason } from '../failure';
import { projectRoot } from '../paths';
import type { SuiteArguments } from './arguments';
import { needsOf, orderPlugin } from './order';
import { featuresOf, wholeOf, type ShardRecord } from './shard';

/** What a run will do, checked before anything is started. */
export interface Plan {
  configuration: IRunConfiguration;
  /** How many scenarios were selected. */
  scenarios: number;
  /** Stages that the selected scenarios wait for. */
  needs: Set<string>;
  /** What the shard is a part of, and which features it has; undefined for a whole run. */
  part?: Pick<ShardRecord, 'shard' | 'whole' | 'features'>;
}

/**
 * Checks the arguments against the features; scenarios are put first that can begin first.
 * @param stages the target's stages in the order in which they become ready.
 * @throws OperatorError (exit code 2) for a path, tag, name or feature that is wrong, or when nothing is selected.
 */
export async function planRun(args: SuiteArguments, stages: readonly string[]): Promise<Plan> {
  const environment = { cwd: projectRoot };
  const { runConfiguration: configuration } = await loadConfiguration(
    {
      // Cucumber takes it relative to the checkout.
      file: relative(projectRoot, args.config),
      provided: { paths: args.paths, tags: allOf(tagsOf(args)), name: args.names, failFast: args.failFast },
    },
    environment,
  );
  const everything = { ...configuration.sources, names: [], tagExpression: '', paths: withoutLines(args.paths) };
  const whole = await loadSources(everything, environment);
  const [parseError] = whole.errors;
  if (parseError !== undefined) {
    throw wrong('read the features', parseError.uri, parseError.message, 'mend that file.');
  }
  await checkPaths(args.paths, configuration);
  const pickles = new Map([...new Set(whole.plan.map(({ uri }) => uri))].map((uri) => [uri, picklesOf(uri)]));
  checkTags(args.tags, [...pickles.values()].flat());
  const { plan } = await loadSources(configuration.sources, environment);
  if (plan.length === 0) {
    const asked = [
      ...args.paths,
      ...args.tags.map((tag) => `--tags "${tag}"`),
      ...args.names.map((name) => `--name "${name}"`),
    ];
    throw wrong(
      'select a scenario',
      asked.join(' '),
      'no scenario matches',
      'choose less narrowly; `npm run suite` runs all.',
    );
  }
  const selected = plan.flatMap(({ uri, name }) => (pickles.get(uri) ?? []).filter((pickle) => pickle.name === name));
  const ordered = { ...configuration, plugins: { specifiers: [orderPlugin], options: { order: { stages } } } };
  if (args.shard === undefined) {
    return { configuration: ordered, scenarios: plan.length, needs: new Set(selected.flatMap(needsOf)) };
  }
  const features = featuresOf(args.shard, selected);
  // A path with lines keeps them.
  const lines = args.paths.filter((path) => features.some((uri) => path.startsWith(`${uri}:`)));
  const entire = features.filter((uri) => !lines.some((path) => path.startsWith(`${uri}:`)));
  return {
    configuration: { ...ordered, sources: { ...configuration.sources, paths: [...entire, ...lines] } },
    scenarios: plan.filter(({ uri }) => features.includes(uri)).length,
    needs: new Set(selected.filter(({ uri }) => features.includes(uri)).flatMap(needsOf)),
    part: { shard: args.shard, whole: wholeOf(plan), features },
  };
}

function picklesOf(uri: string): readonly Pickle[] {
  const newId = IdGenerator.incrementing();
  const parser = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher());
  return compile(parser.parse(readFileSync(resolve(projectRoot, uri), 'utf8')), uri, newId);
}

async function checkPaths(paths: readonly string[], configuration: IRunConfiguration): Promise<void> {
  for (const path of paths) {
    const sources = { ...configuration.sources, names: [], tagExpression: '' };
    const { plan } = await loadSources({ ...sources, paths: withoutLines([path]) }, { cwd: projectRoot });
    if (plan.length === 0) {
      throw wrong(
        'find features',
        path,
        'no feature file there',
        'give a path such as features/canary.feature or features/canary.feature:12.',
      );
    }
  }
}

function checkTags(expressions: readonly string[], pickles: readonly Pickle[]): void {
  const known = new Set(pickles.flatMap(({ tags }) => tags.map(({ name }) => name)));
  for (const expression of expressions) {
    try {
      parseTagExpression(expression);
    } catch (thrown) {
      throw wrong('read the tag expression', expression, reason(thrown), 'write it like "@canary and not @slow".');
    }
    const unknown = (expression.match(/@[^\s()]+/g) ?? []).find((tag) => !known.has(tag));
    if (unknown !== undefined) {
      const next =
        known.size === 0
          ? 'leave --tags away: these features have none.'
          : `use one of ${[...known].sort().join(', ')}.`;
      throw wrong('find the tag', unknown, 'no selected feature has it', next);
    }
  }
}

/** Drills take the sandbox apart: they run only when they are asked for, by their folder or their tag. */
function tagsOf({ paths, tags }: SuiteArguments): string[] {
  const asked =
    paths.some((path) => /(^|\/)features\/drills(\/|$)/.test(path)) || tags.some((tag) => tag.includes('@drill'));
  return asked ? tags : [...tags, 'not @drill'];
}

function allOf(expressions: readonly string[]): string {
  return expressions.map((expression) => `(${expression})`).join(' and ');
}

function withoutLines(paths: readonly string[]): string[] {
  return paths.map((path) => path.replace(/(:\d+)+$/, ''));
}

function wrong(attempted: string, where: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, where: where || 'the command line', seen, next, exitCode: 2 });
}
