import type { Rig } from './rig';

/** Something that must hold once everything is applied. `run` throws otherwise. */
export interface Check {
  name: string;
  run(rig: Rig): Promise<void>;
}

export const checks: readonly Check[] = [];
