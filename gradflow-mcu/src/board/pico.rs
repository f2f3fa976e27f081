//! Raspberry Pi Pico (RP2040: Cortex-M0+ without an FPU, 2 MiB of flash, 264 KiB of RAM).
//!
//! | what | where |
//! |---|---|
//! | serial line | UART0, TX on GPIO 0, RX on GPIO 1, 115,200 baud 8N1 |
//! | LED | GPIO 25 |
//! | clock | 125 MHz from the 12 MHz crystal |
//! | ticks | the timer, one a microsecond: 125 cycles |
//!
//! The linker's memory map; the first 256 bytes of flash are the second stage of the boot loader:
//! ```ld
//! MEMORY {
//!   BOOT2 : ORIGIN = 0x10000000, LENGTH = 0x100
//!   FLASH : ORIGIN = 0x10000100, LENGTH = 2048K - 0x100
//!   RAM   : ORIGIN = 0x20000000, LENGTH = 256K
//! }
//! SECTIONS {
//!   .boot2 ORIGIN(BOOT2) : { KEEP(*(.boot2)); } > BOOT2
//! } INSERT BEFORE .text;
//! ```

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use embedded_hal_nb::serial::{ErrorKind, ErrorType, Read, Write};
#[cfg(feature = "reference")]
use gradflow_mcu::reference::{Memory, serve};
#[cfg(not(feature = "reference"))]
use gradflow_mcu::{Memory, serve};
use gradflow_mcu::{Meter, stack};
use rp2040_hal::clocks::{Clock as _, init_clocks_and_plls};
use rp2040_hal::fugit::RateExtU32 as _;
use rp2040_hal::gpio::Pins;
use rp2040_hal::pac::{Peripherals, UART0};
use rp2040_hal::uart::{DataBits, StopBits, UartConfig, UartPeripheral};
use rp2040_hal::{Sio, Timer, Watchdog, entry};

const CRYSTAL: u32 = 12_000_000;
const BAUD: u32 = 115_200;

/// The second stage of the boot loader, for the Pico's flash chip.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    if let Some(mut chip) = Peripherals::take() {
        let mut watchdog = Watchdog::new(chip.WATCHDOG);
        let clocks = init_clocks_and_plls(
            CRYSTAL,
            chip.XOSC,
            chip.CLOCKS,
            chip.PLL_SYS,
            chip.PLL_USB,
            &mut chip.RESETS,
            &mut watchdog,
        );
        if let Ok(clocks) = clocks {
            let sio = Sio::new(chip.SIO);
            let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, &mut chip.RESETS);
            let led = pins.gpio25.into_push_pull_output();
            let meter = Ticks(Timer::new(chip.TIMER, &mut chip.RESETS, &clocks));
            let lines = (pins.gpio0.into_function(), pins.gpio1.into_function());
            let config = UartConfig::new(BAUD.Hz(), DataBits::Eight, None, StopBits::One);
            let serial = UartPeripheral::new(chip.UART0, lines, &mut chip.RESETS)
                .enable(config, clocks.peripheral_clock.freq());
            if let Ok(serial) = serial {
                serve(Serial(serial.free().0), led, meter, MEMORY, || true);
            }
        }
    }
    sos()
}

/// UART0, set up, a byte at a time. The HAL's own reading and writing go by slices, whose bounds
/// checks leave a panic in the image.
struct Serial(UART0);

impl ErrorType for Serial {
    type Error = ErrorKind;
}

impl Read<u8> for Serial {
    fn read(&mut self) -> nb::Result<u8, ErrorKind> {
        if self.0.uartfr().read().rxfe().bit_is_set() {
            return Err(nb::Error::WouldBlock);
        }
        let data = self.0.uartdr().read();
        if data.oe().bit_is_set() {
            return Err(nb::Error::Other(ErrorKind::Overrun));
        }
        if data.fe().bit_is_set() || data.be().bit_is_set() {
            return Err(nb::Error::Other(ErrorKind::FrameFormat));
        }
        Ok(data.data().bits())
    }
}

impl Write<u8> for Serial {
    fn write(&mut self, byte: u8) -> nb::Result<(), ErrorKind> {
        if self.0.uartfr().read().txff().bit_is_set() {
            return Err(nb::Error::WouldBlock);
        }
        // SAFETY: any eight bits are data.
        self.0.uartdr().write(|w| unsafe { w.data().bits(byte) });
        Ok(())
    }

    fn flush(&mut self) -> nb::Result<(), ErrorKind> {
        if self.0.uartfr().read().busy().bit_is_set() {
            return Err(nb::Error::WouldBlock);
        }
        Ok(())
    }
}

/// The timer, counting microseconds.
struct Ticks(Timer);

impl Meter for Ticks {
    fn ticks(&self) -> u32 {
        self.0.get_counter_low()
    }

    fn ticks_per_second(&self) -> u32 {
        1_000_000
    }

    fn repaint_stack(&mut self) {
        stack::repaint();
    }

    fn stack_used(&self) -> u32 {
        stack::used()
    }

    fn stack_depth(&self) -> u32 {
        stack::depth()
    }

    fn stack_size(&self) -> u32 {
        stack::size()
    }
}

/// The light's SOS for ever: something went wrong that no command can mend.
fn sos() -> ! {
    const LED: u32 = 1 << 25;
    // SAFETY: whatever used the pin before does not run any more.
    let pins = unsafe { Peripherals::steal() }.SIO;
    let light = |lit: bool| {
        if lit {
            // SAFETY: every value sets the pins of its bits.
            pins.gpio_out_set().write(|w| unsafe { w.bits(LED) });
        } else {
            // SAFETY: every value clears the pins of its bits.
            pins.gpio_out_clr().write(|w| unsafe { w.bits(LED) });
        }
    };
    gradflow_mcu::sos(light, || cortex_m::asm::delay(125_000_000 / gradflow_mcu::UNITS_PER_SECOND))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    sos()
}

#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    sos()
}
