/**
 * What only some verbs need, and what is most of the code: the parsers and the schema, the launcher, the supervisor
 * itself, the doctor. The build makes a bundle of its own of this file, and the verbs' dynamic imports of these modules
 * lead to it: V8 needs 20 ms just to read through all of it, which `coppice ps` would pay for at every call.
 */
export * from '../config/detect/detect.ts';
export * from '../config/detect/render.ts';
export * from '../config/places.ts';
export * from '../config/reader.ts';
export * from '../doctor/doctor.ts';
export * from '../doctor/drill/drill.ts';
export * from '../doctor/fix/fix.ts';
export * from '../doctor/fix/permissions.ts';
export * from '../doctor/gather.ts';
export * from '../life/run.ts';
export * from '../process/launch.ts';
