/** API fields, and the lines of the stack that they come from. */
import { isFailure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { filesOf } from '../targets/engine/plan/file-objects.ts'
import type { Call } from './command.ts'
import { placeText } from './failures.ts'
import { loadProject } from './project.ts'

export interface Located {
  /** `compose.yaml:7:9`. */
  readonly place?: string
  /** `services.web.mem_limit`. */
  readonly field?: string
}

/** Of causes that name several fields, the first that the stack speaks of. */
export type Locate = (cause: string) => Located

/** Fields that the engine works out from others, where nothing is said of them. */
const derived: Readonly<Record<string, string>> = {
  'HostConfig.CpuQuota': 'HostConfig.NanoCpus',
  'HostConfig.CpuPeriod': 'HostConfig.NanoCpus',
  'HostConfig.MemorySwap': 'HostConfig.Memory',
}

/** API field → place in the stack; without a stack file the fields speak for themselves. */
export async function locator(call: Call, name: string): Promise<Locate> {
  let project: Project
  try {
    project = (await loadProject(call)).project
  } catch (error) {
    if (isFailure(error, 'not-found')) return () => ({})
    throw error
  }
  const service = project.services[name] ?? project.disabledServices[name]
  if (!service) return () => ({})
  const { originsOf } = await import('../targets/engine/plan/container-body.ts')
  // the hashes only serve a label here: that the files are there is enough
  const origins = originsOf(project, service, new Map(filesOf(project).map(file => [file, ''])))
  return cause => {
    for (const field of cause.split(', ')) {
      // a service as a whole says nothing of this field: then it is the default of the engine
      const path = [field, derived[field] ?? '']
        .map(each => originOf(origins, each))
        .find(each => (each?.length ?? 0) > 2)
      const place = path && project.place(path)
      if (place) return { place: placeText(place), field: path.join('.') }
    }
    return {}
  }
}

/** The longest field that `cause` begins with: HostConfig.Mounts[2].Source → HostConfig.Mounts[2] → HostConfig.Mounts. */
export function originOf(
  origins: Readonly<Record<string, readonly string[]>>,
  cause: string,
): readonly string[] | undefined {
  for (let field = cause; field !== ''; ) {
    if (Object.hasOwn(origins, field)) return origins[field]
    const cut = Math.max(field.lastIndexOf('.'), field.lastIndexOf('['))
    field = cut < 0 ? '' : field.slice(0, cut)
  }
  return undefined
}
