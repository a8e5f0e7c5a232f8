import { z } from 'zod';

const stateShape = z.object({
  resources: z.array(
    z.object({
      module: z.string().optional(),
      instances: z.array(z.object({ index_key: z.union([z.string(), z.number()]).optional() })),
    }),
  ),
});

/** Every `for_each` key in a state: of resources, and of the modules they lie in. */
export function keysInState(text: string): Set<string> {
  const keys = new Set<string>();
  for (const { module, instances } of stateShape.parse(JSON.parse(text)).resources) {
    for (const [, key] of (module ?? '').matchAll(/\["([^"]+)"\]/g)) if (key !== undefined) keys.add(key);
    for (const { index_key: key } of instances) if (typeof key === 'string') keys.add(key);
  }
  return keys;
}
