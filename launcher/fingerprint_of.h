// What the ranks of a job must have in common before they train together, and leaving in good order
// if they have not.
#pragma once

#include "core/data/dataset.h"
#include "dist/communicator.h"
#include "dist/fingerprint.h"
#include "launcher/options.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {

/// The program, what of the machine changes bits, and whether a run is to be resumed, for that
/// takes other messages. `given`: the options as they were given.
dist::Fingerprint fingerprint_of_program(const TrainOptions& given);

/// Model, options and data, as this rank has them; not paths, threads and other things that may
/// well differ between machines. `options` are resolved. Data, first weights and the model's text
/// count by their content.
dist::Fingerprint fingerprint_of(const TrainOptions& options, const TrainedModel& model,
                                 const data::Dataset& train, const data::Dataset& test);

/// Of the images and labels that a run learns from and is measured on: 16 hexadecimal digits, the
/// same wherever these are the same, in the same order.
std::string data_digest(const data::Dataset& train, const data::Dataset& test);

/// Collectives. Whether all ranks have the same fingerprint; if not, every rank prints the table of
/// who differs in what. The program should then end with kExitRanksDisagree on all of them. True at
/// once, without looking, where there is one rank. `programs_agree` belongs before every other
/// message, for ranks of different builds may not understand each other.
bool programs_agree(dist::Communicator& communicator, const TrainOptions& given);
bool runs_agree(dist::Communicator& communicator, const TrainOptions& options,
                const TrainedModel& model, const data::Dataset& train, const data::Dataset& test);

}  // namespace convoy::launcher
