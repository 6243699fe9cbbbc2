/** What the containers of a stack use, as a list that goes on or once. */
import type { ContainerStats, ContainerSummary } from '../../api/containers.ts'
import { endpoints } from '../../api/endpoints.ts'
import { isFailure } from '../../lib/failure.ts'
import { statsHeadings, statsRow } from '../../view/stats.ts'
import { type Call, command } from '../command.ts'
import { formatOption, type Listing, listed } from '../print.ts'
import { type Replicas, replicasOf } from '../replicas.ts'
import { follow } from '../stats-follow.ts'

export const stats = command({
  usage: '[OPTIONS] [SERVICE]',
  words: [0, 1],
  options: {
    all: { kind: 'flag', short: 'a', about: 'Show stopped containers too' },
    format: formatOption,
    'no-stream': { kind: 'flag', about: 'Show it once' },
    'no-trunc': { kind: 'flag', about: 'Show ids in full' },
  },
  examples: [["tscompose stats --no-stream --format 'table {{.Name}}\\t{{.MemUsage}}'", 'who needs how much memory']],
  async run(call) {
    const { options, screen } = call
    const print = async (found: readonly Sample[]) => {
      const pieces = await listed(listingOf(found, { format: options.format, whole: options['no-trunc'] }))
      // a screen that is drawn again; a pipe is written on
      const clear = !options['no-stream'] && screen.stdout.isTTY === true ? '\x1b[H\x1b[J' : ''
      if (pieces.length > 0 || clear !== '') screen.stdout.write(`${clear}${pieces.map(each => `${each}\n`).join('')}`)
    }
    const find = () => replicasOf(call, { all: options.all, oneOff: true, services: call.args, anyService: true })
    if (options['no-stream']) return await print(await once(call, await find()))
    await follow(call, { find, print })
    return 130
  },
})

/** A container, and what it uses; undefined while that is not known. */
export interface Sample {
  readonly container: ContainerSummary
  readonly stats: ContainerStats | undefined
}

function listingOf(
  found: readonly Sample[],
  { format, whole }: { readonly format: string | undefined; readonly whole: boolean },
): Listing<ReturnType<typeof statsRow>> {
  return {
    format,
    rows: found.map(({ container, stats: used }) => statsRow(container, used, { whole })),
    columns: {
      'CONTAINER ID': row => row.ID,
      NAME: row => row.Name,
      'CPU %': row => row.CPUPerc,
      'MEM USAGE / LIMIT': row => row.MemUsage,
      'MEM %': row => row.MemPerc,
      'NET I/O': row => row.NetIO,
      'BLOCK I/O': row => row.BlockIO,
      PIDS: row => row.PIDs,
    },
    headings: statsHeadings,
    json: 'lines',
    anyText: true,
  }
}

/** Two readings of each container, a second apart, which is what a share of a processor takes. */
async function once({ signal }: Call, { client, containers }: Replicas): Promise<readonly Sample[]> {
  const read = async (container: ContainerSummary): Promise<Sample> => {
    try {
      const params = { id: container.Id }
      const stream = await client.stream(endpoints.containerStats, { params, query: { stream: false } }, { signal })
      for await (const found of stream) return { container, stats: found }
      return { container, stats: undefined }
    } catch (error) {
      // removed while we looked
      if (isFailure(error, 'not-found')) return { container, stats: undefined }
      throw error
    }
  }
  return await Promise.all(containers.map(read))
}
