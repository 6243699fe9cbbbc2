/** Which driver sends how; loaded when a container has one of them. */
import type { LogInfo } from '../log-info.ts'
import type { ForwardingDriver } from '../log-options.ts'
import { fluentdRoute } from './fluentd.ts'
import { gelfRoute } from './gelf.ts'
import { journaldRoute } from './journald.ts'
import type { Route } from './sender.ts'
import { syslogRoute } from './syslog.ts'

const routes = {
  fluentd: fluentdRoute,
  gelf: gelfRoute,
  journald: (info: LogInfo) => journaldRoute(info),
  syslog: syslogRoute,
} as const satisfies Readonly<Record<ForwardingDriver, (info: LogInfo) => Route>>

export function routeOf(driver: ForwardingDriver, info: LogInfo): Route {
  return routes[driver](info)
}
