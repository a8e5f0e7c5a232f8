import { PickleStepType, type Envelope, type Pickle } from '@cucumber/messages';

/** What a scenario may ask of the target by its tags. */
export interface KnownTags {
  stages: readonly string[];
  capabilities: readonly string[];
}

/** Sentences about features and step definitions that do not fit together, from the messages of a dry run. */
export function stepProblems(envelopes: readonly Envelope[], known: KnownTags): string[] {
  const pickles = new Map(
    envelopes.flatMap(({ pickle }) => (pickle === undefined ? [] : [[pickle.id, pickle] as const])),
  );
  const definitions = envelopes.flatMap(({ stepDefinition }) => (stepDefinition === undefined ? [] : [stepDefinition]));
  const used = new Set<string>();
  const problems = new Set<string>();
  for (const { testCase } of envelopes) {
    if (testCase === undefined) continue;
    const pickle = pickles.get(testCase.pickleId);
    for (const { pickleStepId, stepDefinitionIds = [] } of testCase.testSteps) {
      if (pickleStepId === undefined) continue;
      for (const id of stepDefinitionIds) used.add(id);
      const text = pickle?.steps.find(({ id }) => id === pickleStepId)?.text ?? pickleStepId;
      const where = pickle?.uri ?? '?';
      if (stepDefinitionIds.length === 0) problems.add(`undefined: "${text}" (${where})`);
      if (stepDefinitionIds.length > 1)
        problems.add(`ambiguous: "${text}" (${where}) matches ${stepDefinitionIds.length} definitions`);
    }
  }
  for (const { id, pattern, sourceReference } of definitions) {
    if (used.has(id)) continue;
    problems.add(`unused: "${pattern.source}" (${sourceReference.uri}:${sourceReference.location?.line})`);
  }
  for (const { undefinedParameterType } of envelopes) {
    if (undefinedParameterType === undefined) continue;
    problems.add(`unknown parameter type {${undefinedParameterType.name}} in "${undefinedParameterType.expression}"`);
  }
  for (const pickle of pickles.values()) for (const problem of pickleProblems(pickle, known)) problems.add(problem);
  for (const problem of sameNames([...pickles.values()])) problems.add(problem);
  if (pickles.size === 0) problems.add('there is no scenario at all');
  return [...problems].sort();
}

function pickleProblems({ name, uri, steps, tags }: Pickle, known: KnownTags): string[] {
  const problems: string[] = [];
  if (!steps.some(({ type }) => type === PickleStepType.OUTCOME)) {
    problems.push(`without a Then: "${name}" (${uri}) runs and checks nothing`);
  }
  for (const { name: tag } of tags) {
    const [kind, value = ''] = tag.split(/:(.*)/);
    if (kind === '@needs' && !known.stages.includes(value)) problems.push(`unknown stage: ${tag} (${uri})`);
    if (kind === '@capability' && !known.capabilities.includes(value))
      problems.push(`unknown capability: ${tag} (${uri})`);
  }
  return problems;
}

/** Allure takes two scenarios of one name in one feature for retries of one, and shows only the last. */
function sameNames(pickles: readonly Pickle[]): string[] {
  const scenarios = new Map<string, string>();
  const problems: string[] = [];
  for (const { name, uri, astNodeIds } of pickles) {
    const key = `${uri}\n${name}`;
    const scenario = astNodeIds[0] ?? '';
    const other = scenarios.get(key);
    if (other !== undefined && other !== scenario) problems.push(`same name twice: "${name}" (${uri})`);
    scenarios.set(key, scenario);
  }
  return problems;
}
