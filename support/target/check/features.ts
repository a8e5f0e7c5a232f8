import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { IdGenerator } from '@cucumber/messages';
import type { Finding } from '../../finding';
import { projectRoot } from '../../paths';
import { capabilities, type Capability } from '../target';

/** What a scenario asks of a target. */
export interface ScenarioNeeds {
  feature: string;
  name: string;
  stages: string[];
  capabilities: string[];
}

/** Whether a feature could run on a target now. */
export interface FeatureOutlook {
  feature: string;
  runs: number;
  /** Scenarios that would be skipped, and what the target cannot do. */
  skipped: { scenarios: number; why: string[] };
  /** Scenarios that would fail at their start, and what does not answer. */
  stuck: { scenarios: number; why: string[] };
}

/** Every scenario below `features/` with what it asks for. */
export function readNeeds(folder = join(projectRoot, 'features')): ScenarioNeeds[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.feature'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return files.flatMap((file) => {
    const newId = IdGenerator.incrementing();
    const document = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher()).parse(
      readFileSync(file, 'utf8'),
    );
    return compile(document, file, newId).map(({ name, tags }) => {
      const after = (prefix: string): string[] =>
        tags.filter((tag) => tag.name.startsWith(prefix)).map((tag) => tag.name.slice(prefix.length));
      return {
        feature: relative(projectRoot, file),
        name,
        stages: after('@needs:'),
        capabilities: after('@capability:'),
      };
    });
  });
}

/** What each feature would come to. @param stages what `ready` said of every stage that is asked for. */
export function outlook(
  needs: readonly ScenarioNeeds[],
  can: ReadonlySet<Capability>,
  stages: ReadonlyMap<string, Finding>,
): FeatureOutlook[] {
  const features = new Map<string, FeatureOutlook>();
  for (const { feature, stages: asked, capabilities: wanted } of needs) {
    const seen = features.get(feature) ?? {
      feature,
      runs: 0,
      skipped: { scenarios: 0, why: [] },
      stuck: { scenarios: 0, why: [] },
    };
    features.set(feature, seen);
    const cannot = wanted.filter((name) => !isCapability(name) || !can.has(name));
    const unready = asked.filter((stage) => stages.get(stage)?.status !== 'met');
    if (cannot.length > 0) count(seen.skipped, cannot);
    else if (unready.length > 0) count(seen.stuck, unready);
    else seen.runs += 1;
  }
  return [...features.values()];
}

function count(into: { scenarios: number; why: string[] }, why: readonly string[]): void {
  into.scenarios += 1;
  into.why = [...new Set([...into.why, ...why])];
}

function isCapability(name: string): name is Capability {
  return capabilities.some((known) => known === name);
}
