/** The projects that containers belong to, as rows. */
import type { ContainerSummary } from '../api/containers.ts'
import { labels } from '../targets/engine/labels.ts'

/** As Compose's `ls --format json` has it. */
export interface ProjectRow {
  readonly Name: string
  readonly Status: string
  readonly ConfigFiles: string
}

export function projectRows(containers: readonly ContainerSummary[]): readonly ProjectRow[] {
  const projects = new Map<string, ContainerSummary[]>()
  for (const container of containers) {
    const name = container.Labels?.[labels.project]
    // what `run` has made does not make a project
    if (name === undefined || container.Labels?.[labels.oneOff] === 'True') continue
    projects.set(name, [...(projects.get(name) ?? []), container])
  }
  return [...projects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, all]) => rowOf(name, all))
}

function rowOf(name: string, containers: readonly ContainerSummary[]): ProjectRow {
  const states = new Map<string, number>()
  for (const { State } of containers) states.set(State, (states.get(State) ?? 0) + 1)
  const files = containers.flatMap(each => each.Labels?.[labels.files]?.split(',') ?? [])
  return {
    Name: name,
    Status: [...states]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([state, count]) => `${state}(${count})`)
      .join(', '),
    ConfigFiles: files.length === 0 ? 'N/A' : [...new Set(files)].join(','),
  }
}
