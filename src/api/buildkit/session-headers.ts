/** Headers of `POST /session`; apart from the services, since whatever knows the endpoints loads this. */
export const sessionHeaders = {
  id: 'X-Docker-Expose-Session-Uuid',
  name: 'X-Docker-Expose-Session-Name',
  sharedKey: 'X-Docker-Expose-Session-Sharedkey',
  /** One a method that the client serves: "/moby.filesync.v1.FileSync/DiffCopy". */
  method: 'X-Docker-Expose-Session-Grpc-Method',
} as const
