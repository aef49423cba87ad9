export { lenet, type LenetOptions } from './lenet';
export { unet, type UnetOptions } from './unet';
export { vit, type VitOptions } from './vit';
