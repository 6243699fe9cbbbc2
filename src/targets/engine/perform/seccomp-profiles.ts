/** The seccomp profiles that a body names by path → their text: an engine takes a profile, not the name of a file. */
import { readFile } from 'node:fs/promises'
import type { ContainerCreate } from '../../../api/container-body.ts'
import { errnoOf, Failure } from '../../../lib/failure.ts'

const named = /^seccomp[=:](\/.*)$/s

/** @throws Failure `invalid` for a file that cannot be read or holds no JSON. */
export async function withSeccompProfiles<T extends ContainerCreate>(body: T): Promise<T> {
  const options = body.HostConfig?.SecurityOpt
  if (!options?.some(option => named.test(option))) return body
  const SecurityOpt = await Promise.all(options.map(withProfile))
  return { ...body, HostConfig: { ...body.HostConfig, SecurityOpt } }
}

async function withProfile(option: string): Promise<string> {
  const path = named.exec(option)?.[1]
  if (path === undefined) return option
  const refuse = (why: string, cause: unknown) =>
    new Failure('invalid', `Cannot use seccomp profile "${path}": ${why}`, { cause })
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (errnoOf(cause) === undefined) throw cause
    throw refuse(errnoOf(cause) === 'ENOENT' ? 'there is no such file' : `${errnoOf(cause)}`, cause)
  })
  try {
    return `seccomp=${JSON.stringify(JSON.parse(text))}`
  } catch (cause) {
    throw refuse('it is not JSON', cause)
  }
}
