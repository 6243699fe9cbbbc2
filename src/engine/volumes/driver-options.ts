/** The local driver's options (type, o, device) to what a container mounts: pure. */
import { isAbsolute } from 'node:path'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'

/** A folder of ours or another's to bind, or a tmpfs of the container's own. */
export type VolumeSource =
  | { readonly kind: 'bind'; readonly source: HostPath; readonly flags: readonly string[]; readonly readonly: boolean }
  | { readonly kind: 'tmpfs'; readonly data: string; readonly flags: readonly string[] }

const flags = new Set([
  'nosuid',
  'nodev',
  'noexec',
  'noatime',
  'nodiratime',
  'relatime',
  'strictatime',
  'sync',
  'dirsync',
])
const defaults = new Set(['rw', 'suid', 'dev', 'exec', 'async', 'bind', 'rbind', 'defaults'])
const tmpfsData = /^(?:size|nr_blocks|nr_inodes|mode|uid|gid)=[0-9a-zA-Z%]+$/

/** @throws Failure `invalid` or `unsupported` naming the option. */
export function volumeSource(name: string, data: HostPath, options: Readonly<Record<string, string>>): VolumeSource {
  const unknown = Object.keys(options).find(option => !['type', 'o', 'device'].includes(option))
  if (unknown !== undefined) {
    if (unknown === 'size') {
      throw new Failure('unsupported', `create ${name}: quota size requested but no quota support`)
    }
    throw new Failure('invalid', `create ${name}: invalid option: "${unknown}"`)
  }
  const { type = '', o = '', device = '' } = options
  if (type === '' && o === '' && device === '') return { kind: 'bind', source: data, flags: [], readonly: false }
  if (device === '') throw new Failure('invalid', `create ${name}: missing required option: "device"`)
  if (type === '' && o === '') throw new Failure('invalid', `create ${name}: missing required option: "type"`)
  const words = o.split(',').filter(word => word !== '')
  if (words.includes('bind') || words.includes('rbind')) return bind(name, device, words)
  if (type === 'tmpfs') return tmpfs(name, words)
  throw new Failure('unsupported', `create ${name}: volumes of type "${type}" are not supported yet`, {
    hint: 'Mount it on the host and use type "none" with o "bind"',
  })
}

function bind(name: string, device: string, words: readonly string[]): VolumeSource {
  if (!isAbsolute(device) || device.includes('\0') || device.split('/').includes('..')) {
    throw new Failure('invalid', `create ${name}: device "${device}" should be an absolute path`)
  }
  const known = words.filter(word => flags.has(word))
  const unknown = words.find(word => !flags.has(word) && !defaults.has(word) && word !== 'ro')
  if (unknown !== undefined) throw unknownWord(name, unknown)
  return { kind: 'bind', source: device, flags: known, readonly: words.includes('ro') }
}

function tmpfs(name: string, words: readonly string[]): VolumeSource {
  const data = words.filter(word => tmpfsData.test(word))
  const known = words.filter(word => flags.has(word) || word === 'ro')
  const unknown = words.find(word => !flags.has(word) && !defaults.has(word) && word !== 'ro' && !tmpfsData.test(word))
  if (unknown !== undefined) throw unknownWord(name, unknown)
  return { kind: 'tmpfs', data: data.join(','), flags: known }
}

function unknownWord(name: string, word: string): Failure {
  return new Failure('invalid', `create ${name}: mount option "${word}" is not known`)
}
