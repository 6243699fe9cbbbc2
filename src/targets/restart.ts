/** Whether a service says when it is started again: the model has "no" for what is not said, which is another thing where a scheduler runs it. */
import type { Service } from '../model/service.ts'

export function saysRestart({ restart, restartSaid }: Service): boolean {
  return restart.kind !== 'no' || restartSaid === true
}
