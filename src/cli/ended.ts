/** The last word on a container whose failure ended an attached `up`: its last lines, how it ended, where the stack speaks of it. */
import { containerEndpoints } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import { labels, projectFilter } from '../targets/engine/labels.ts'
import { annotationsOf } from './annotations.ts'
import type { Call } from './command.ts'
import { dumpLimits, lastLines } from './log-dump.ts'

export interface Ended {
  readonly client: Client
  readonly project: Project
  readonly service: string
  /** Its name when it was made: one that takes the place of another gets its own later. */
  readonly container: string
  /** Of its service's replicas; undefined for one that is none. */
  readonly number: number | undefined
  readonly exitCode: number
}

export async function tellEnded(call: Call, ended: Ended): Promise<void> {
  const { client, project, service, exitCode } = ended
  const annotations = annotationsOf(call)
  const container = await nameNow(ended)
  const lines = await lastLines(client, container, dumpLimits(annotations).lines)
  if (lines.length > 0) annotations.block(`Last output of ${container}:`, lines)
  const because = (await isOutOfMemory(client, container)) ? ', out of memory' : ''
  const message = `container ${container} exited with code ${exitCode}${because}`
  const { screen } = call
  screen.say(`${screen.paintStatus(['red', 'bold'], 'error')} ${printable(message)}`)
  annotations.note({
    severity: 'error',
    title: `${service} failed`,
    place: project.place(['services', service]),
    message,
  })
}

async function nameNow({ client, project, service, container, number }: Ended): Promise<string> {
  if (number === undefined) return container
  const label = [...projectFilter(project.name).label, `${labels.service}=${service}`, `${labels.number}=${number}`]
  const [found] = await client.call(containerEndpoints.containerList, { query: { all: true, filters: { label } } })
  return found ? listedName(found) : container
}

async function isOutOfMemory(client: Client, id: string): Promise<boolean> {
  try {
    return (await client.call(containerEndpoints.containerInspect, { params: { id } })).State.OOMKilled
  } catch (error) {
    // removed by itself when it ended
    if (isFailure(error, 'not-found')) return false
    throw error
  }
}
