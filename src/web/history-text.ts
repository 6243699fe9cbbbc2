/** A kept model as text to read and to compare: what is set, in order of names; values that look secret by a short hash. */
import { stringify } from 'yaml'
import type { Project } from '../model/project.ts'
import { hashText, looksSecret } from '../plan/change.ts'

export function modelText(project: Project): string {
  const { name, services, networks, volumes, configs, secrets } = project
  const data = pruned({ name, services, networks, volumes, configs, secrets }, '')
  return stringify(data, { sortMapEntries: true, lineWidth: 0 })
}

/** Without what says nothing: empty, false by default, and where a value stood. */
function pruned(value: unknown, name: string): unknown {
  if (typeof value === 'string') return looksSecret(name, value) ? hashText(value) : value
  if (Array.isArray(value)) {
    const items = value.map(item => pruned(item, name)).filter(item => item !== undefined)
    return items.length === 0 ? undefined : items
  }
  if (typeof value !== 'object' || value === null) return value === false ? undefined : (value ?? undefined)
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'path' && key !== 'key')
    .map(([key, member]) => [key, pruned(member, key)] as const)
    .filter(([, member]) => member !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
