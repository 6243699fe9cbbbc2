/** The name of a container of the list, without the slash. */
import type { ContainerSummary } from './containers.ts'

/** A link of the default bridge adds names of the form "/other/alias", which may stand first. */
export function listedName({ Id, Names }: Pick<ContainerSummary, 'Id' | 'Names'>): string {
  const own = Names.find(name => name.lastIndexOf('/') === 0) ?? Names[0]
  return (own ?? Id.slice(0, 12)).replace(/^\//, '')
}
