/** Whether a service says when it is started again: the model has "no" for what is not said, which is another thing where a scheduler runs it. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'

const said = new WeakMap<Project, ReadonlySet<string>>()

export function saysRestart(project: Project, { name, restart }: Service): boolean {
  if (restart.kind !== 'no') return true
  let services = said.get(project)
  if (!services) {
    services = new Set(speakers(project))
    said.set(project, services)
  }
  return services.has(name)
}

function* speakers(project: Project): Iterable<string> {
  for (const [[first, name, ...rest]] of project.places(5)) {
    const field = rest.join(' ')
    if (first === 'services' && (field === 'restart' || field === 'deploy restart_policy condition')) yield name!
  }
}
