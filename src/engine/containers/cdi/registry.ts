/** The specifications on this machine, read when a container asks: /etc/cdi, and /var/run/cdi before it. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDeviceName } from '../../../api/device-names.ts'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import { type Edits, type Specification, specificationSchema } from './specification.ts'

/** The later ones win. (CDI SPEC.md, "CDI Spec directories") */
export const usualFolders: readonly HostPath[] = ['/etc/cdi', '/var/run/cdi']
/** More than any vendor's tools write. */
const largest = 8 * 1024 * 1024

export interface Device {
  /** What holds for every device of its file. */
  readonly specification: Specification
  readonly edits: Edits
}

export interface Registry {
  /** By whole name: "vendor.com/class=device". */
  readonly devices: ReadonlyMap<string, Device>
  /** Files that cannot be used, each with why. */
  readonly problems: readonly string[]
}

/** A device that two files of one folder describe is nobody's. Files that cannot be read are told, and keep no other from being used. */
export async function readRegistry(folders: readonly HostPath[] = usualFolders): Promise<Registry> {
  const devices = new Map<string, Device>()
  const problems: string[] = []
  for (const folder of folders) {
    const here = new Map<string, Device | undefined>()
    for (const path of await filesOf(folder)) {
      try {
        const specification = await readSpecification(path)
        for (const { name, containerEdits } of specification.devices) {
          const full = `${specification.kind}=${name}`
          if (here.has(full)) problems.push(`Cannot use device "${full}": two files of "${folder}" describe it`)
          here.set(full, here.has(full) ? undefined : { specification, edits: containerEdits })
        }
      } catch (error) {
        problems.push(messageOf(error))
      }
    }
    for (const [name, device] of here)
      if (device) devices.set(name, device)
      else devices.delete(name)
  }
  return { devices, problems }
}

async function filesOf(folder: HostPath): Promise<readonly HostPath[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter(name => /\.(json|yaml)$/.test(name))
      .sort()
      .map(name => join(folder, name))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

async function readSpecification(path: HostPath): Promise<Specification> {
  const wrong = (why: string) => new Failure('invalid', `Cannot use device specification "${path}": ${why}`)
  const text = await readText(path, wrong)
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { stringKeys: true, logLevel: 'silent' })
  const error = document.errors[0]
  if (error) throw wrong(error.message.split('\n', 1)[0]!)
  const result = specificationSchema.safeParse(document.toJS({ maxAliasCount: 100 }))
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw wrong([issue.path.join('.'), issue.message].filter(Boolean).join(': '))
}

async function readText(path: HostPath, wrong: (why: string) => Failure): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const stat = await file.stat()
    if (!stat.isFile()) throw wrong('it is no file')
    if (stat.size > largest) throw wrong(`it has ${stat.size} bytes, and ${largest} are read at most`)
    return await file.readFile('utf8')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw wrong(errnoOf(error) ?? messageOf(error))
  }
}

/** The devices of a kind, by name: "all" apart, numbers in their order. */
export function devicesOfKind({ devices }: Registry, kind: string): readonly string[] {
  const names = [...devices.keys()].map(parseDeviceName).flatMap(name => (name?.kind === kind ? [name.device] : []))
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}
