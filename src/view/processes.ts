/** The processes of a container as rows. */
import type { ContainerSummary, ContainerTop } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { numberOf, serviceOf } from './names.ts'

export interface ProcessRow {
  readonly Name: string
  readonly Service: string
  /** "" for a container of `run`. */
  readonly Number: string
  /** What ps tells, by its headings: PID, CMD… */
  readonly Process: Readonly<Record<string, string>>
}

export function processRows(container: ContainerSummary, { Titles, Processes }: ContainerTop): readonly ProcessRow[] {
  return Processes.map(process => ({
    Name: listedName(container),
    Service: serviceOf(container),
    Number: String(numberOf(container) ?? ''),
    Process: Object.fromEntries(Titles.map((title, i) => [title, process[i] ?? ''])),
  }))
}
