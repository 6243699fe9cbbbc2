/** The program that runs a container, or would, in the words of the API. */
import type { ContainerProgram } from '../../../api/containers.ts'
import type { ProgramLine } from '../../../runtime/runtime.ts'

export function shownProgram(lines: readonly ProgramLine[]): ContainerProgram {
  return {
    Lines: lines.map(({ phase, text, cause, name, args }) => ({
      Phase: phase,
      Text: text,
      Cause: cause,
      Name: name,
      Arguments: args,
    })),
  }
}
