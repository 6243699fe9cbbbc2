/** Mounts, volumes_from, and references to configs and secrets of a finished service. */
import { parseBytes } from '../lib/units.ts'
import type { FileReference } from '../model/file-object.ts'
import type { Mount } from '../model/mount.ts'
import type { VolumesFrom } from '../model/service.ts'
import type { View } from './view.ts'

export function toMount(view: View): readonly Mount[] {
  const common = { target: view.text('target') ?? '', readOnly: view.bool('read_only') ?? false, path: view.path }
  switch (view.text('type')) {
    case 'bind': {
      const bind = view.at('bind')
      return [
        {
          kind: 'bind',
          ...common,
          source: view.text('source') ?? '',
          createHostPath: bind.bool('create_host_path') ?? false,
          propagation: bind.text('propagation'),
          recursive: bind.text('recursive') as 'enabled' | undefined,
          selinux: bind.text('selinux') as 'z' | undefined,
          consistency: view.text('consistency'),
        },
      ]
    }
    case 'volume': {
      const volume = view.at('volume')
      return [
        {
          kind: 'volume',
          ...common,
          source: view.text('source'),
          nocopy: volume.bool('nocopy') ?? false,
          subpath: volume.text('subpath'),
          labels: volume.strings('labels'),
        },
      ]
    }
    case 'tmpfs':
      return [
        {
          kind: 'tmpfs',
          ...common,
          size: view.at('tmpfs').positive('size'),
          mode: view.at('tmpfs').positive('mode'),
          options: [],
        },
      ]
    case 'image':
      return [
        { kind: 'image', ...common, source: view.text('source') ?? '', subpath: view.at('image').text('subpath') },
      ]
    default:
      return [
        { kind: view.text('type') === 'npipe' ? 'npipe' : 'cluster', ...common, source: view.text('source') ?? '' },
      ]
  }
}

/** "/run:size=64m,mode=1777,noexec": what is not size or mode stays an option. */
export function toTmpfs(spec: string, path: readonly string[]): Mount {
  const colon = spec.indexOf(':')
  const target = colon < 0 ? spec : spec.slice(0, colon)
  const options =
    colon < 0
      ? []
      : spec
          .slice(colon + 1)
          .split(',')
          .filter(Boolean)
  const value = (key: string) => options.findLast(option => option.startsWith(`${key}=`))?.slice(key.length + 1)
  const [size, mode] = [value('size'), value('mode')]
  return {
    kind: 'tmpfs',
    target,
    readOnly: options.includes('ro'),
    size: size === undefined ? undefined : parseBytes(size),
    mode: mode === undefined || !/^[0-7]+$/.test(mode) ? undefined : Number.parseInt(mode, 8),
    options: options.filter(option => !/^(?:size|mode)=/.test(option) && option !== 'ro' && option !== 'rw'),
    path,
  }
}

export function toVolumesFrom(spec: string): VolumesFrom {
  const parts = spec.split(':')
  if (parts[0] === 'container') return { kind: 'container', name: parts[1] ?? '', readOnly: parts[2] === 'ro' }
  return { kind: 'service', name: parts[0]!, readOnly: parts[1] === 'ro' }
}

export function toReference(view: View, root: string): FileReference {
  const source = view.text('source') ?? ''
  const target = view.text('target') ?? source
  return {
    source,
    target: root === '' || target.startsWith('/') ? target : `${root}${target}`,
    uid: view.text('uid'),
    gid: view.text('gid'),
    mode: view.number('mode'),
    path: view.path,
  }
}
