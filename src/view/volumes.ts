/** A volume as a row, member by member what Compose's `volumes --format json` has. */
import type { VolumeInspect } from '../api/volumes.ts'
import { labelsText } from './names.ts'

export interface VolumeRow {
  readonly Availability: string
  readonly Driver: string
  readonly Group: string
  readonly Labels: string
  readonly Links: string
  readonly Mountpoint: string
  readonly Name: string
  readonly Scope: string
  readonly Size: string
  readonly Status: string
  Label(name: string): string
}

export const volumeHeadings: Readonly<Record<string, string>> = {
  Availability: 'AVAILABILITY',
  Driver: 'DRIVER',
  Group: 'GROUP',
  Labels: 'LABELS',
  Links: 'LINKS',
  Mountpoint: 'MOUNTPOINT',
  Name: 'VOLUME NAME',
  Scope: 'SCOPE',
  Size: 'SIZE',
  Status: 'STATUS',
}

export function volumeRow(volume: VolumeInspect): VolumeRow {
  // those of volumes of a cluster, and what only `system df` measures
  const none = 'N/A'
  return {
    Availability: none,
    Driver: volume.Driver,
    Group: none,
    Labels: labelsText(volume.Labels),
    Links: none,
    Mountpoint: volume.Mountpoint,
    Name: volume.Name,
    Scope: volume.Scope,
    Size: none,
    Status: none,
    Label: name => volume.Labels?.[name] ?? '',
  }
}
